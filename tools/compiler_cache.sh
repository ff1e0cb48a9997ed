# Sourced by the scripts that build. Precompiled headers and compiler caches get along only with the
# first; with the others what one clone has compiled serves another one.
export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
export CCACHE_BASEDIR=$PWD
export CCACHE_NOHASHDIR=1
