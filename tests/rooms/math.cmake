engram_test(math)
engram_test(sparse)
