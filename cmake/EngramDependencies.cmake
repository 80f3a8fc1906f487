# Every library engram uses. Distribution packages: see jobs/install-dependencies.sh.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PkgConfig REQUIRED)
# CMake's BLAS module knows no include path for cblas.h; pkg-config knows both.
pkg_check_modules(OPENBLAS REQUIRED IMPORTED_TARGET openblas)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(ISAL REQUIRED IMPORTED_TARGET libisal)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(SMARTCOLS REQUIRED IMPORTED_TARGET smartcols)
# GNU libunistring has no pkg-config file; it is linked to as `unistring`.
find_library(UNISTRING_LIBRARY unistring REQUIRED)
find_path(UNISTRING_INCLUDE_DIR unistr.h REQUIRED)
# GSL alone, and not what its pkg-config file adds: libgslcblas has the names of OpenBLAS, and would stand in for it.
find_library(GSL_LIBRARY gsl REQUIRED)
find_path(GSL_INCLUDE_DIR gsl/gsl_qrng.h REQUIRED)
find_package(HDF5 REQUIRED COMPONENTS C HL)
# The C++ bindings of MPI are long dead; not asking for them keeps the include path clean.
set(MPI_CXX_SKIP_MPICXX TRUE)
find_package(MPI REQUIRED COMPONENTS C)
find_path(RANDOM123_INCLUDE_DIR Random123/philox.h REQUIRED)
