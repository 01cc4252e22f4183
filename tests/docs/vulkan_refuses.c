/* Preloaded, it has Vulkan's first device list dma-bufs of rows as importable, and refuse each that
 * comes, as VULKAN_REFUSES says: by its "properties", by the memory "types" for it, or when it is
 * "allocated". NVIDIA's driver lists and refuses so. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <vulkan/vulkan.h>

#define REAL(name) PFN_##name real = (PFN_##name)dlsym(RTLD_NEXT, #name)

static const char *const MADE_UP[] = {
	VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME, VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME,
	VK_EXT_IMAGE_DRM_FORMAT_MODIFIER_EXTENSION_NAME, VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME};
enum { N_MADE_UP = 4 };

static int refuses(const char *how)
{
	const char *said = getenv("VULKAN_REFUSES");
	return said && strcmp(said, how) == 0;
}

static void *behind(const void *structure, VkStructureType wanted)
{
	VkBaseOutStructure *one = ((VkBaseOutStructure *)structure)->pNext;
	while (one && one->sType != wanted)
		one = one->pNext;
	return one;
}

VkResult vkEnumerateDeviceExtensionProperties(VkPhysicalDevice gpu, const char *layer, uint32_t *n,
					      VkExtensionProperties *told)
{
	(void)gpu, (void)layer;
	for (*n = 0; *n < N_MADE_UP; ++*n)
		strcpy(told[*n].extensionName, MADE_UP[*n]);
	return VK_SUCCESS;
}

VkResult vkCreateDevice(VkPhysicalDevice gpu, const VkDeviceCreateInfo *info,
			const VkAllocationCallbacks *by, VkDevice *made)
{
	REAL(vkCreateDevice);
	VkDeviceCreateInfo without = *info;
	without.enabledExtensionCount = 0;
	return real(gpu, &without, by, made);
}

void vkGetPhysicalDeviceFormatProperties2(VkPhysicalDevice gpu, VkFormat format,
					  VkFormatProperties2 *told)
{
	VkDrmFormatModifierPropertiesListEXT *list =
		behind(told, VK_STRUCTURE_TYPE_DRM_FORMAT_MODIFIER_PROPERTIES_LIST_EXT);
	(void)gpu, (void)format;
	list->drmFormatModifierCount = 1;
	list->pDrmFormatModifierProperties[0] = (VkDrmFormatModifierPropertiesEXT){
		.drmFormatModifierPlaneCount = 1,
		.drmFormatModifierTilingFeatures = VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BIT};
}

VkResult vkGetPhysicalDeviceImageFormatProperties2(VkPhysicalDevice gpu,
						   const VkPhysicalDeviceImageFormatInfo2 *asked,
						   VkImageFormatProperties2 *told)
{
	VkExternalImageFormatProperties *external =
		behind(told, VK_STRUCTURE_TYPE_EXTERNAL_IMAGE_FORMAT_PROPERTIES);
	(void)gpu, (void)asked;
	told->imageFormatProperties.maxExtent = (VkExtent3D){4096, 4096, 1};
	external->externalMemoryProperties.externalMemoryFeatures =
		VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT;
	return VK_SUCCESS;
}

VkResult vkCreateImage(VkDevice device, const VkImageCreateInfo *info,
		       const VkAllocationCallbacks *by, VkImage *made)
{
	REAL(vkCreateImage);
	VkImageCreateInfo rows = *info;
	if (rows.tiling == VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT) {
		rows.tiling = VK_IMAGE_TILING_LINEAR;
		rows.pNext = NULL;
	}
	return real(device, &rows, by, made);
}

static VkResult ask(VkDevice device, VkExternalMemoryHandleTypeFlagBits type, int fd,
		    VkMemoryFdPropertiesKHR *told)
{
	(void)device, (void)type, (void)fd;
	if (refuses("properties"))
		return VK_ERROR_INVALID_EXTERNAL_HANDLE;
	told->memoryTypeBits = refuses("types") ? 0 : ~0u;
	return VK_SUCCESS;
}

PFN_vkVoidFunction vkGetDeviceProcAddr(VkDevice device, const char *name)
{
	REAL(vkGetDeviceProcAddr);
	return strcmp(name, "vkGetMemoryFdPropertiesKHR") ? real(device, name)
							  : (PFN_vkVoidFunction)ask;
}

VkResult vkAllocateMemory(VkDevice device, const VkMemoryAllocateInfo *info,
			  const VkAllocationCallbacks *by, VkDeviceMemory *made)
{
	REAL(vkAllocateMemory);
	return behind(info, VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR)
		       ? VK_ERROR_INVALID_EXTERNAL_HANDLE
		       : real(device, info, by, made);
}
