engram_test(flymodel)
