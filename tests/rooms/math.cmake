engram_test(math)
engram_test(sparse)
engram_test(weight)
engram_test(statistics)
