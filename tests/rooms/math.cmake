engram_test(math)
