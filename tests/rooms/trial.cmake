engram_test(metric)
engram_test(trial)
