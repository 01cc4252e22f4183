/* A libcuda with one GPU and one allocation, for tests of what asks it. Whether the GPU exports
 * follows CUDA_DOUBLE: "exports", "never" (it says so by its attribute), "not now". */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { OK, INVALID_VALUE, NOT_INITIALIZED = 3, INVALID_CONTEXT = 201, NOT_SUPPORTED = 801 };
enum { CONTEXT = 1, BUFFER_ID = 7, ORDINAL = 9, DMA_BUF_SUPPORTED = 124, DMA_BUF_FD = 1, GPU = 2, OTHER = 3 };

static const unsigned long long base = 0x4e00000, size = 0x330000;
static int context;
static void *current;
static int begun; /* whether cuInit was called, which FFmpeg does before there is a pointer */
static int queued = 1; /* whether the picture is still being written */

static int is(const char *word)
{
	const char *mode = getenv("CUDA_DOUBLE");
	return mode && strcmp(mode, word) == 0;
}

int cuInit(unsigned int flags)
{
	begun = flags == 0;
	return begun ? OK : INVALID_VALUE;
}

int cuGetErrorName(int error, const char **name)
{
	*name = error == INVALID_CONTEXT ? "CUDA_ERROR_INVALID_CONTEXT"
		: error == NOT_SUPPORTED ? "CUDA_ERROR_NOT_SUPPORTED"
					 : "CUDA_ERROR_INVALID_VALUE";
	return error == INVALID_VALUE || error == INVALID_CONTEXT || error == NOT_SUPPORTED
		       ? OK
		       : INVALID_VALUE;
}

int cuPointerGetAttribute(void *data, int attribute, unsigned long long pointer)
{
	if (pointer < base || pointer >= base + size)
		return INVALID_VALUE;
	if (attribute == CONTEXT)
		*(void **)data = &context;
	else if (attribute == ORDINAL)
		*(int *)data = GPU;
	else if (attribute == BUFFER_ID)
		*(unsigned long long *)data = 41;
	else
		return INVALID_VALUE;
	return OK;
}

int cuCtxPushCurrent_v2(void *pushed)
{
	current = pushed;
	return OK;
}

int cuCtxPopCurrent_v2(void **popped)
{
	*popped = current;
	current = NULL;
	return OK;
}

int cuCtxSynchronize(void)
{
	if (current != &context)
		return INVALID_CONTEXT;
	queued = 0;
	return OK;
}

int cuDeviceGetCount(int *count)
{
	*count = 2;
	return begun ? OK : NOT_INITIALIZED;
}

/* CUDA's numbers of devices are not those that it is asked for them with. */
int cuDeviceGet(int *device, int ordinal)
{
	*device = ordinal ? GPU : OTHER;
	return ordinal < 0 || ordinal > 1 ? INVALID_VALUE : OK;
}

int cuDeviceGetPCIBusId(char *id, int length, int device)
{
	if ((device != GPU && device != OTHER) || length < 13)
		return INVALID_VALUE;
	strcpy(id, device == GPU ? "0000:C1:00.0" : "0000:03:00.0");
	return OK;
}

int cuDeviceGetAttribute(int *value, int attribute, int device)
{
	if (device != GPU || attribute != DMA_BUF_SUPPORTED)
		return INVALID_VALUE;
	*value = !is("never");
	return OK;
}

int cuMemGetAddressRange_v2(unsigned long long *begin, size_t *bytes, unsigned long long pointer)
{
	if (current != &context)
		return INVALID_CONTEXT;
	if (pointer < base || pointer >= base + size)
		return INVALID_VALUE;
	*begin = base, *bytes = size;
	return OK;
}

int cuMemGetHandleForAddressRange(void *handle, unsigned long long pointer, size_t bytes, int type,
				  unsigned long long flags)
{
	if (current != &context)
		return INVALID_CONTEXT;
	if (is("not now"))
		return NOT_SUPPORTED;
	if (is("never") || pointer < base || pointer + bytes > base + size || bytes % 4096 ||
	    type != DMA_BUF_FD || flags)
		return INVALID_VALUE;
	*(int *)handle = memfd_create(queued ? "half a picture" : "a picture", MFD_CLOEXEC);
	return ftruncate(*(int *)handle, (off_t)bytes);
}
