// A plugin for a version that does not exist.
extern "C" unsigned backtest_plugin_abi() { return 999; }
extern "C" void backtest_plugin_register(void*) {}
