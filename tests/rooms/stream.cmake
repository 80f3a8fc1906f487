engram_test(stream)
engram_test(split)
engram_test(permuted)
engram_test(sparse_batches)
