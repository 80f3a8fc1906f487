# The command: its parts by themselves, and end to end from sweep file to result file.
engram_test(cli LIBRARY cli LINKS PkgConfig::JANSSON)
engram_test(run_queue LIBRARY cli)
engram_test(time_limit LIBRARY cli)
engram_test(redo LIBRARY cli)

set(e2e ${CMAKE_CURRENT_SOURCE_DIR}/e2e)
foreach(name help bad_input outcomes resume merge changed terminal escapes format1)
    engram_script(e2e_${name} ${e2e}/${name}.sh $<TARGET_FILE:engram> LABELS e2e)
endforeach()
engram_script(e2e_checkpoints ${e2e}/checkpoints.sh $<TARGET_FILE:engram> RANKS 2 LABELS e2e TIMEOUT 240)
engram_script(e2e_stages ${e2e}/stages.sh $<TARGET_FILE:engram> RANKS 2 LABELS e2e TIMEOUT 240)
engram_script(e2e_asha ${e2e}/asha.sh $<TARGET_FILE:engram> RANKS 2 LABELS e2e TIMEOUT 240)
engram_script(e2e_damaged_results ${e2e}/damaged_results.sh $<TARGET_FILE:engram> LABELS e2e)
engram_script(e2e_standard_input ${e2e}/standard_input.sh $<TARGET_FILE:engram> RANKS 2 LABELS e2e)
engram_script(e2e_ranks ${e2e}/ranks.sh $<TARGET_FILE:engram> RANKS 2 LABELS e2e TIMEOUT 240)
engram_script(e2e_terminal ${e2e}/terminal.sh $<TARGET_FILE:engram> RANKS 2 LABELS e2e TIMEOUT 240)
# Malformed input, a folder per case.
engram_script(cases ${CMAKE_CURRENT_SOURCE_DIR}/cases/run.sh $<TARGET_FILE:engram> LABELS e2e)
