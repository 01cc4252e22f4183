/* Draws with Vulkan 1.3: what render_into_plan.c wants, by VK_EXT_image_drm_format_modifier. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <vulkan/vulkan.h>
#include "render_into_plan.h"

static const VkFormat FORMAT = VK_FORMAT_B8G8R8A8_UNORM; /* XRGB8888 in memory: B, G, R, X */
static const char *const IMPORTS[] = {
	VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME, VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME,
	VK_EXT_IMAGE_DRM_FORMAT_MODIFIER_EXTENSION_NAME, VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME};
enum { N_IMPORTS = 4, MANY = 512, FAMILIES = 16 };
static const VkImageSubresourceRange ALL = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
static VkPhysicalDevice gpu;
static VkDevice device;
static VkQueue queue;
static uint32_t family;
static int imports; /* whether the device has all of IMPORTS, and a modifier to import by */

static void done(VkResult result, const char *what)
{
	need(result == VK_SUCCESS, what);
}
static int has_imports(void)
{
	static VkExtensionProperties there[MANY];
	uint32_t n = MANY, i, wanted, found = 0;
	vkEnumerateDeviceExtensionProperties(gpu, NULL, &n, there);
	for (i = 0; i < n; i++)
		for (wanted = 0; wanted < N_IMPORTS; wanted++)
			found += !strcmp(there[i].extensionName, IMPORTS[wanted]);
	return found == N_IMPORTS;
}
void begin_gpu(void)
{
	VkApplicationInfo application = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
					 .apiVersion = VK_API_VERSION_1_3};
	VkInstanceCreateInfo wanted = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
				       .pApplicationInfo = &application};
	VkPhysicalDeviceDynamicRenderingFeatures rendering = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DYNAMIC_RENDERING_FEATURES,
		.dynamicRendering = VK_TRUE};
	VkQueueFamilyProperties families[FAMILIES];
	VkPhysicalDeviceProperties told;
	VkInstance instance;
	uint32_t n = 1;
	float priority = 1;
	done(vkCreateInstance(&wanted, NULL, &instance), "no Vulkan");
	vkEnumeratePhysicalDevices(instance, &n, &gpu); /* the first; a program of your own chooses */
	need(n == 1, "no device of Vulkan's");
	vkGetPhysicalDeviceProperties(gpu, &told);
	need(told.apiVersion >= VK_API_VERSION_1_3, "no Vulkan 1.3");
	puts(told.deviceName);
	n = FAMILIES;
	vkGetPhysicalDeviceQueueFamilyProperties(gpu, &n, families);
	while (family < n && !(families[family].queueFlags & VK_QUEUE_GRAPHICS_BIT))
		family++;
	need(family < n, "the device does not draw");
	imports = has_imports();
	VkDeviceQueueCreateInfo one = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
				       .queueFamilyIndex = family,
				       .queueCount = 1,
				       .pQueuePriorities = &priority};
	VkDeviceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
				   .pNext = &rendering,
				   .queueCreateInfoCount = 1,
				   .pQueueCreateInfos = &one,
				   .enabledExtensionCount = imports ? N_IMPORTS : 0,
				   .ppEnabledExtensionNames = IMPORTS};
	done(vkCreateDevice(gpu, &info, NULL, &device), "no device");
	vkGetDeviceQueue(device, family, 0, &queue);
}
/* Whether dma-bufs of this size can be imported by a modifier. */
static int is_importable(uint64_t modifier)
{
	VkPhysicalDeviceImageDrmFormatModifierInfoEXT by = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_DRM_FORMAT_MODIFIER_INFO_EXT,
		.drmFormatModifier = modifier};
	VkPhysicalDeviceExternalImageFormatInfo from = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_IMAGE_FORMAT_INFO,
		.pNext = &by,
		.handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT};
	VkPhysicalDeviceImageFormatInfo2 asked = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_FORMAT_INFO_2,
		.pNext = &from,
		.format = FORMAT,
		.type = VK_IMAGE_TYPE_2D,
		.tiling = VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT,
		.usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT};
	VkExternalImageFormatProperties external = {
		.sType = VK_STRUCTURE_TYPE_EXTERNAL_IMAGE_FORMAT_PROPERTIES};
	VkImageFormatProperties2 told = {.sType = VK_STRUCTURE_TYPE_IMAGE_FORMAT_PROPERTIES_2,
					 .pNext = &external};
	return vkGetPhysicalDeviceImageFormatProperties2(gpu, &asked, &told) == VK_SUCCESS &&
	       told.imageFormatProperties.maxExtent.width >= WIDTH &&
	       told.imageFormatProperties.maxExtent.height >= HEIGHT &&
	       external.externalMemoryProperties.externalMemoryFeatures &
		       VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT;
}
size_t pairs_of_the_gpu(struct heapwire_pair *pairs)
{
	VkDrmFormatModifierPropertiesEXT each[PAIRS];
	VkDrmFormatModifierPropertiesListEXT list = {
		.sType = VK_STRUCTURE_TYPE_DRM_FORMAT_MODIFIER_PROPERTIES_LIST_EXT,
		.drmFormatModifierCount = PAIRS,
		.pDrmFormatModifierProperties = each};
	VkFormatProperties2 told = {.sType = VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_2, .pNext = &list};
	size_t found = 0;
	uint32_t i;
	if (imports) {
		vkGetPhysicalDeviceFormatProperties2(gpu, FORMAT, &told);
		for (i = 0; i < list.drmFormatModifierCount; i++)
			if (each[i].drmFormatModifierTilingFeatures &
				    VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BIT &&
			    is_importable(each[i].drmFormatModifier))
				pairs[found++] =
					(struct heapwire_pair){XR24, 0, each[i].drmFormatModifier};
	}
	if (!found) {
		imports = 0;
		pairs[found++] = (struct heapwire_pair){XR24, 0, LINEAR};
	}
	return found;
}
/* Memory of the first type among those needed that has these properties; none if none is given. */
static VkDeviceMemory memory(VkMemoryRequirements needs, VkMemoryPropertyFlags wanted, const void *how)
{
	VkMemoryAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
				     .pNext = how,
				     .allocationSize = needs.size};
	VkPhysicalDeviceMemoryProperties there;
	VkDeviceMemory made;
	uint32_t *i = &info.memoryTypeIndex;
	vkGetPhysicalDeviceMemoryProperties(gpu, &there);
	for (; *i < there.memoryTypeCount; ++*i)
		if (needs.memoryTypeBits >> *i & 1 &&
		    (there.memoryTypes[*i].propertyFlags & wanted) == wanted)
			return vkAllocateMemory(device, &info, NULL, &made) == VK_SUCCESS
				       ? made
				       : VK_NULL_HANDLE;
	return VK_NULL_HANDLE;
}
/* The plan's memory; none if Vulkan refuses it, which it may though it lists what it imports. */
static VkDeviceMemory imported(VkMemoryRequirements needs, VkImportMemoryFdInfoKHR *from, int plan)
{
	PFN_vkGetMemoryFdPropertiesKHR ask = (PFN_vkGetMemoryFdPropertiesKHR)
		vkGetDeviceProcAddr(device, "vkGetMemoryFdPropertiesKHR");
	VkMemoryFdPropertiesKHR can = {.sType = VK_STRUCTURE_TYPE_MEMORY_FD_PROPERTIES_KHR};
	VkDeviceMemory made = VK_NULL_HANDLE;
	need((from->fd = dup(plan)) >= 0, "no descriptor"); /* Vulkan's, once it is imported */
	if (ask(device, from->handleType, from->fd, &can) == VK_SUCCESS) {
		needs.memoryTypeBits &= can.memoryTypeBits;
		made = memory(needs, 0, from);
	}
	if (made == VK_NULL_HANDLE)
		close(from->fd);
	return made;
}
/* An image by the plan, in its memory; without a plan, one in memory of the device's own. */
static VkImage image_of(const struct heapwire_buffer *plan)
{
	VkSubresourceLayout planes[HEAPWIRE_PLANES] = {0};
	VkExternalMemoryImageCreateInfo from = {
		.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO,
		.handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT};
	VkImageDrmFormatModifierExplicitCreateInfoEXT by = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_EXPLICIT_CREATE_INFO_EXT,
		.pNext = &from,
		.pPlaneLayouts = planes};
	VkImageCreateInfo info = {.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
				  .imageType = VK_IMAGE_TYPE_2D,
				  .format = FORMAT,
				  .extent = {WIDTH, HEIGHT, 1},
				  .mipLevels = 1,
				  .arrayLayers = 1,
				  .samples = VK_SAMPLE_COUNT_1_BIT,
				  .usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT};
	VkMemoryDedicatedAllocateInfo dedicated = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO};
	VkImportMemoryFdInfoKHR fd = {.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR,
				      .pNext = &dedicated,
				      .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT};
	VkMemoryRequirements needs;
	VkDeviceMemory made;
	uint32_t i;
	if (plan) {
		by.drmFormatModifier = plan->layout.modifier;
		by.drmFormatModifierPlaneCount = plan->layout.n_planes;
		for (i = 0; i < plan->layout.n_planes; i++) {
			planes[i].offset = plan->layout.planes[i].offset;
			planes[i].rowPitch = plan->layout.planes[i].pitch;
		}
		info.pNext = &by;
		info.tiling = VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT;
	} else
		info.usage |= VK_IMAGE_USAGE_TRANSFER_SRC_BIT;
	VkResult result = vkCreateImage(device, &info, NULL, &dedicated.image);
	if (result == VK_ERROR_INVALID_DRM_FORMAT_MODIFIER_PLANE_LAYOUT_EXT)
		return VK_NULL_HANDLE; /* not with these pitches */
	done(result, "no image");
	vkGetImageMemoryRequirements(device, dedicated.image, &needs);
	made = plan ? imported(needs, &fd, plan->fd) : memory(needs, 0, NULL);
	if (plan && made == VK_NULL_HANDLE) {
		vkDestroyImage(device, dedicated.image, NULL);
		return VK_NULL_HANDLE;
	}
	need(made != VK_NULL_HANDLE, "no memory for the image");
	done(vkBindImageMemory(device, dedicated.image, made, 0), "the image has no memory");
	return dedicated.image;
}
/* Memory of the host for the rows, mapped. */
static VkBuffer rows_of(void **rows)
{
	VkBufferCreateInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
				   .size = 4 * WIDTH * HEIGHT,
				   .usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT};
	VkMemoryRequirements needs;
	VkDeviceMemory made;
	VkBuffer copy;
	done(vkCreateBuffer(device, &info, NULL, &copy), "no buffer for the rows");
	vkGetBufferMemoryRequirements(device, copy, &needs);
	made = memory(needs,
		      VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT, NULL);
	need(made != VK_NULL_HANDLE, "no memory for the rows");
	done(vkBindBufferMemory(device, copy, made, 0), "the rows have no memory");
	done(vkMapMemory(device, made, 0, VK_WHOLE_SIZE, 0, rows), "the rows cannot be mapped");
	return copy;
}
static void barrier(VkCommandBuffer commands, VkImageMemoryBarrier how)
{
	how.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER;
	how.subresourceRange = ALL;
	vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
			     VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, 0, NULL, 0, NULL, 1, &how);
}
static void paint(VkCommandBuffer commands, VkImageView view)
{
	VkRect2D all = {{0, 0}, {WIDTH, HEIGHT}};
	VkClearRect middle = {{{WIDTH / 4, HEIGHT / 4}, {WIDTH / 2, HEIGHT / 2}}, 0, 1};
	VkClearAttachment green = {VK_IMAGE_ASPECT_COLOR_BIT, 0, {.color = {.float32 = {0, 1, 0, 1}}}};
	VkRenderingAttachmentInfo colour = {.sType = VK_STRUCTURE_TYPE_RENDERING_ATTACHMENT_INFO,
					    .imageView = view,
					    .imageLayout = VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL,
					    .loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
					    .storeOp = VK_ATTACHMENT_STORE_OP_STORE,
					    .clearValue = {.color = {.float32 = {1, 0.5f, 0, 1}}}};
	VkRenderingInfo info = {.sType = VK_STRUCTURE_TYPE_RENDERING_INFO,
				.renderArea = all,
				.layerCount = 1,
				.colorAttachmentCount = 1,
				.pColorAttachments = &colour};
	vkCmdBeginRendering(commands, &info);
	vkCmdClearAttachments(commands, 1, &green, 1, &middle); /* your pipelines' draws instead */
	vkCmdEndRendering(commands);
}
int draw(const struct heapwire_buffer *buffer)
{
	VkCommandPoolCreateInfo pool_info = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
					     .queueFamilyIndex = family};
	VkCommandBufferAllocateInfo one = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
					   .commandBufferCount = 1};
	VkCommandBufferBeginInfo once = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
	VkImageViewCreateInfo seen = {.sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
				      .viewType = VK_IMAGE_VIEW_TYPE_2D,
				      .format = FORMAT,
				      .subresourceRange = ALL};
	VkBufferImageCopy rows_of_all = {.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
					 .imageExtent = {WIDTH, HEIGHT, 1}};
	VkCommandBuffer commands;
	VkImageView view;
	VkBuffer copy = VK_NULL_HANDLE;
	void *rows = NULL;
	VkImage image = imports ? image_of(buffer) : VK_NULL_HANDLE;
	int is_direct = image != VK_NULL_HANDLE;
	uint32_t outside = is_direct ? VK_QUEUE_FAMILY_FOREIGN_EXT : family;
	if (!is_direct) {
		image = image_of(NULL);
		copy = rows_of(&rows);
	}
	seen.image = image;
	done(vkCreateImageView(device, &seen, NULL, &view), "no view of the image");
	done(vkCreateCommandPool(device, &pool_info, NULL, &one.commandPool), "no commands");
	done(vkAllocateCommandBuffers(device, &one, &commands), "no commands");
	done(vkBeginCommandBuffer(commands, &once), "no commands");
	/* What was in it is of no use: nothing is taken over from outside but the memory. */
	barrier(commands, (VkImageMemoryBarrier){
				  .dstAccessMask = VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT,
				  .newLayout = VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL,
				  .srcQueueFamilyIndex = outside,
				  .dstQueueFamilyIndex = family,
				  .image = image});
	paint(commands, view);
	barrier(commands, (VkImageMemoryBarrier){
				  .srcAccessMask = VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT,
				  .dstAccessMask = is_direct ? 0 : VK_ACCESS_TRANSFER_READ_BIT,
				  .oldLayout = VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL,
				  .newLayout = is_direct ? VK_IMAGE_LAYOUT_GENERAL
							 : VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
				  .srcQueueFamilyIndex = family,
				  .dstQueueFamilyIndex = outside,
				  .image = image});
	if (!is_direct)
		vkCmdCopyImageToBuffer(commands, image, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, copy, 1,
				       &rows_of_all);
	done(vkEndCommandBuffer(commands), "no commands");
	VkSubmitInfo submitted = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
				  .commandBufferCount = 1,
				  .pCommandBuffers = &commands};
	done(vkQueueSubmit(queue, 1, &submitted, VK_NULL_HANDLE), "the device is lost");
	done(vkQueueWaitIdle(queue), "the device is lost"); /* or a sync file, into the dma-buf */
	if (!is_direct)
		copy_rows(buffer, rows, 4 * WIDTH);
	return is_direct;
}
