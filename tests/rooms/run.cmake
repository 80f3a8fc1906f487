# The controller of a sweep, without a screen.
engram_test(run_queue LIBRARY run)
engram_test(run_progress LIBRARY run)
engram_test(redo LIBRARY run)
