// A camera of libcamera's that fills anybody's dma-bufs, told what to do by messages on stdin.
//
//     libcamera_camera NODE      (stdin is a SOCK_SEQPACKET socket, and ends it when it is closed)
//
//     configure FOURCC WIDTH HEIGHT  -> configured FOURCC WIDTH HEIGHT STRIDE SIZE
//     start SLOTS                    -> started STATUS
//     queue SLOT LENGTH [a fd]       the slot's buffer, if there is a fd; else the one it had
//                                    <- done SLOT STATUS SEQUENCE MICROSECONDS USED

#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <string>

#include <sys/socket.h>
#include <sys/stat.h>

#include <libcamera/libcamera.h>

using namespace libcamera;

namespace {

void say(const std::string &text) { send(0, text.data(), text.size(), MSG_NOSIGNAL); }

// A message, and the descriptor that came with it or -1; false when nobody is there any more.
bool hear(char (&text)[256], int &fd) {
  char control[CMSG_SPACE(sizeof(int))];
  iovec part{text, sizeof text - 1};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t size = recvmsg(0, &message, MSG_CMSG_CLOEXEC);
  if (size <= 0)
    return false;
  text[size] = 0;
  fd = -1;
  if (cmsghdr *header = CMSG_FIRSTHDR(&message))
    memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return true;
}

struct Slot {
  std::unique_ptr<FrameBuffer> buffer;
  std::unique_ptr<Request> request;
};

void completed(Request *request) {
  if (request->status() == Request::RequestCancelled)
    return;
  const FrameMetadata &data = request->buffers().begin()->second->metadata();
  char text[128];
  snprintf(text, sizeof text, "done %u %d %u %llu %u", unsigned(request->cookie()),
           int(data.status), data.sequence, (unsigned long long)(data.timestamp / 1000),
           data.planes()[0].bytesused);
  say(text);
}

int run(Camera &camera) {
  auto configuration = camera.generateConfiguration({StreamRole::Viewfinder});
  if (!configuration)
    return 4;
  StreamConfiguration &stream = configuration->at(0);
  std::map<unsigned, Slot> slots;
  camera.requestCompleted.connect(completed);
  char text[256], code[5];
  unsigned width, height, slot, length;
  for (int fd; hear(text, fd);) {
    if (sscanf(text, "configure %4c %u %u", code, &width, &height) == 3) {
      unsigned fourcc;
      memcpy(&fourcc, code, sizeof fourcc);
      stream.pixelFormat = PixelFormat(fourcc);
      stream.size = Size(width, height);
      if (configuration->validate() == CameraConfiguration::Invalid)
        return 5;
      fourcc = stream.pixelFormat.fourcc();
      memcpy(code, &fourcc, sizeof fourcc);
      code[4] = 0;
      char reply[128];
      snprintf(reply, sizeof reply, "configured %s %u %u %u %u", code, stream.size.width,
               stream.size.height, stream.stride, stream.frameSize);
      say(reply);
    } else if (sscanf(text, "start %u", &slot) == 1) {
      stream.bufferCount = slot;
      int status = camera.configure(configuration.get());
      if (!status)
        status = camera.start();
      say("started " + std::to_string(status));
    } else if (sscanf(text, "queue %u %u", &slot, &length) == 2) {
      Slot &one = slots[slot];
      if (fd >= 0) {
        FrameBuffer::Plane plane;
        plane.fd = SharedFD(std::move(fd));
        plane.offset = 0;
        plane.length = length;
        one.request = camera.createRequest(slot);
        one.buffer = std::make_unique<FrameBuffer>(std::vector<FrameBuffer::Plane>{plane});
        one.request->addBuffer(stream.stream(), one.buffer.get());
      } else {
        one.request->reuse(Request::ReuseBuffers);
      }
      if (int status = camera.queueRequest(one.request.get()))
        say("done " + std::to_string(slot) + " " + std::to_string(status) + " 0 0 0");
    }
  }
  camera.stop();
  return 0;
}

}  // namespace

int main(int, char **arguments) {
  struct stat node;
  if (stat(arguments[1], &node))
    return 1;
  CameraManager manager;
  if (manager.start())
    return 2;
  std::shared_ptr<Camera> camera = manager.get(node.st_rdev);
  if (!camera || camera->acquire()) {
    fprintf(stderr, "libcamera has no camera %s, of %zu\n", arguments[1],
            manager.cameras().size());
    manager.stop();
    return 3;
  }
  int status = run(*camera);
  camera->release();
  camera.reset();
  manager.stop();
  return status;
}
