engram_test(optimizer)
