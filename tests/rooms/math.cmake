engram_test(math)
engram_test(sparse)
engram_test(ufloat16)
engram_test(statistics)
