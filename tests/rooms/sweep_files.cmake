# The sweep files that come with engram.
engram_test(sweep_files LIBRARY sweep)
