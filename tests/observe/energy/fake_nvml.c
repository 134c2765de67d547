/* A stand-in for NVIDIA's driver library with one card, for tests. FAKE_NVML says how the card behaves:
 * counter: has an energy counter; power: has none; lost: is lost after the third question for power;
 * mute: does not say what it draws at all (vGPU, MIG, mobile cards, boards). */
#include <stdlib.h>
#include <string.h>

static int asked;
static unsigned long long millijoules = 1000000;

static int is(const char *word) {
    const char *mode = getenv("FAKE_NVML");
    return mode != NULL && strcmp(mode, word) == 0;
}
static int gone(void) { return is("lost") && asked > 3; }

enum { SUCCESS = 0, NOT_SUPPORTED = 3, GPU_IS_LOST = 15 };

int nvmlInitWithFlags(unsigned flags) { (void)flags; return SUCCESS; }
int nvmlInit_v2(void) { return SUCCESS; }
int nvmlShutdown(void) { return SUCCESS; }
const char *nvmlErrorString(int code) { return code == GPU_IS_LOST ? "GPU is lost" : "error"; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 1; return SUCCESS; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **handle) { (void)index; *handle = &asked; return SUCCESS; }
int nvmlDeviceGetName(void *handle, char *name, unsigned length) {
    (void)handle;
    strncpy(name, "NVIDIA GeForce RTX 4090", length);
    return SUCCESS;
}
int nvmlDeviceGetTotalEnergyConsumption(void *handle, unsigned long long *energy) {
    (void)handle;
    if (is("power") || is("mute")) return NOT_SUPPORTED;
    if (gone()) return GPU_IS_LOST;
    *energy = millijoules;
    millijoules += 250000; /* 250 J between two questions */
    return SUCCESS;
}
int nvmlDeviceGetPowerUsage(void *handle, unsigned *milliwatts) {
    (void)handle;
    if (is("mute")) return NOT_SUPPORTED;
    asked++;
    if (gone()) return GPU_IS_LOST;
    *milliwatts = 100000 + 100000 * (asked > 1); /* 100 W, then 200 W */
    return SUCCESS;
}
int nvmlDeviceGetUtilizationRates(void *handle, unsigned *rates) {
    (void)handle;
    if (gone()) return GPU_IS_LOST;
    rates[0] = 87;
    rates[1] = 40;
    return SUCCESS;
}
int nvmlDeviceGetMemoryInfo(void *handle, unsigned long long *memory) {
    (void)handle;
    if (gone()) return GPU_IS_LOST;
    memory[0] = 24ULL << 30;
    memory[1] = 13ULL << 30;
    memory[2] = 11ULL << 30;
    return SUCCESS;
}
int nvmlDeviceGetTemperature(void *handle, int sensor, unsigned *celsius) {
    (void)handle;
    (void)sensor;
    if (gone()) return GPU_IS_LOST;
    *celsius = 64;
    return SUCCESS;
}
