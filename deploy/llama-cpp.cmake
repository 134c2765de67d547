# Read by llama.cpp's own build (CMAKE_PROJECT_llama.cpp_INCLUDE). Its `common` library, with dozens of chat parsers, takes
# half of the compile time, and nothing here loads it.
set(LLAMA_BUILD_COMMON OFF)
