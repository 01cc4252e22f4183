/* What is used of libcuda, with the names of cuda.h; libcuda_ffi.py is made of it (make bindings). */

typedef int CUresult;
typedef unsigned long long CUdeviceptr;
typedef void *CUcontext;
CUresult cuInit(unsigned int flags);
CUresult cuGetErrorName(CUresult error, const char **name);
CUresult cuPointerGetAttribute(void *data, int attribute, CUdeviceptr pointer);
CUresult cuCtxPushCurrent_v2(CUcontext context);
CUresult cuCtxPopCurrent_v2(CUcontext *context);
CUresult cuCtxSynchronize(void);
CUresult cuDeviceGetCount(int *count);
CUresult cuDeviceGet(int *device, int ordinal);
CUresult cuDeviceGetAttribute(int *value, int attribute, int device);
CUresult cuDeviceGetPCIBusId(char *id, int length, int device);
CUresult cuMemGetAddressRange_v2(CUdeviceptr *base, size_t *size, CUdeviceptr pointer);
CUresult cuMemGetHandleForAddressRange(
    void *handle, CUdeviceptr pointer, size_t size, int type, unsigned long long flags);
