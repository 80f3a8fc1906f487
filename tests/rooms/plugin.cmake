# Components from outside: descriptors, the conformance suite, and whole plug-ins that are compiled as their authors would.
engram_test(plugin LIBRARY plugin)
