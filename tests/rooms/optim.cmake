engram_test(optimizer)
engram_test(optimizer_terms)
engram_test(optimizer_table)
engram_test(optimizer_counts LIBRARY core_f64)
