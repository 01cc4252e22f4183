/* What is used of libwayland-server, as libwayland_server_ffi.py is made of (make bindings).
 * Of its structs only what is read; the names are those of wayland-server-core.h. */

struct wl_interface;
struct wl_message { const char *name; const char *signature; const struct wl_interface **types; };
struct wl_interface {
    const char *name; int version;
    int method_count; const struct wl_message *methods;
    int event_count; const struct wl_message *events;
};
struct wl_array { size_t size; size_t alloc; void *data; };
struct wl_list { struct wl_list *prev; struct wl_list *next; };
struct wl_object;
union wl_argument {
    int32_t i; uint32_t u; int32_t f; const char *s;
    struct wl_object *o; uint32_t n; struct wl_array *a; int32_t h;
};
struct wl_listener { struct wl_list link; void (*notify)(struct wl_listener *, void *); };
struct wl_display; struct wl_client; struct wl_resource; struct wl_global;
struct wl_event_loop; struct wl_event_source;

struct wl_display *wl_display_create(void);
void wl_display_destroy(struct wl_display *);
void wl_display_destroy_clients(struct wl_display *);
int wl_display_add_socket(struct wl_display *, const char *);
void wl_display_flush_clients(struct wl_display *);
struct wl_list *wl_display_get_client_list(struct wl_display *);
struct wl_client *wl_client_from_link(struct wl_list *);
struct wl_event_loop *wl_display_get_event_loop(struct wl_display *);
uint32_t wl_display_next_serial(struct wl_display *);
uint32_t wl_display_get_serial(struct wl_display *);
struct wl_protocol_logger;
struct wl_protocol_logger_message {
    struct wl_resource *resource; int message_opcode; const struct wl_message *message;
    int arguments_count; const union wl_argument *arguments;
};
struct wl_protocol_logger *wl_display_add_protocol_logger(struct wl_display *,
    void (*)(void *, int, const struct wl_protocol_logger_message *), void *);
void wl_protocol_logger_destroy(struct wl_protocol_logger *);
void wl_display_add_destroy_listener(struct wl_display *, struct wl_listener *);

int wl_event_loop_dispatch(struct wl_event_loop *, int);
int wl_event_loop_get_fd(struct wl_event_loop *);
void wl_event_loop_dispatch_idle(struct wl_event_loop *);
struct wl_event_source *wl_event_loop_add_fd(struct wl_event_loop *, int, uint32_t,
    int (*)(int, uint32_t, void *), void *);
struct wl_event_source *wl_event_loop_add_timer(struct wl_event_loop *, int (*)(void *), void *);
struct wl_event_source *wl_event_loop_add_idle(struct wl_event_loop *, void (*)(void *), void *);
int wl_event_source_timer_update(struct wl_event_source *, int);
int wl_event_source_remove(struct wl_event_source *);

struct wl_client *wl_client_create(struct wl_display *, int);
void wl_client_destroy(struct wl_client *);
void wl_client_flush(struct wl_client *);
int wl_client_get_fd(struct wl_client *);
void wl_client_get_credentials(struct wl_client *, int *, unsigned int *, unsigned int *);
struct wl_display *wl_client_get_display(struct wl_client *);
void wl_client_add_destroy_listener(struct wl_client *, struct wl_listener *);
void wl_client_post_no_memory(struct wl_client *);
void wl_client_post_implementation_error(struct wl_client *, const char *, ...);
struct wl_resource *wl_client_get_object(struct wl_client *, uint32_t);

struct wl_global *wl_global_create(struct wl_display *, const struct wl_interface *, int, void *,
    void (*)(struct wl_client *, void *, uint32_t, uint32_t));
void wl_display_set_global_filter(struct wl_display *,
    _Bool (*)(const struct wl_client *, const struct wl_global *, void *), void *);
void wl_global_remove(struct wl_global *);
void wl_global_destroy(struct wl_global *);

struct wl_resource *wl_resource_create(struct wl_client *, const struct wl_interface *, int,
    uint32_t);
void wl_resource_set_dispatcher(struct wl_resource *,
    int (*)(const void *, void *, uint32_t, const struct wl_message *, union wl_argument *),
    const void *, void *, void (*)(struct wl_resource *));
void wl_resource_destroy(struct wl_resource *);
void wl_resource_post_event_array(struct wl_resource *, uint32_t, union wl_argument *);
void wl_resource_post_error(struct wl_resource *, uint32_t, const char *, ...);
void wl_resource_add_destroy_listener(struct wl_resource *, struct wl_listener *);
struct wl_client *wl_resource_get_client(struct wl_resource *);
uint32_t wl_resource_get_id(struct wl_resource *);
int wl_resource_get_version(struct wl_resource *);
const char *wl_resource_get_class(struct wl_resource *);


/* The core protocol's. Not const as theirs are: cffi in ABI mode takes no address of a const. */
extern struct wl_interface wl_display_interface;
extern struct wl_interface wl_registry_interface;
extern struct wl_interface wl_callback_interface;
extern struct wl_interface wl_compositor_interface;
extern struct wl_interface wl_shm_pool_interface;
extern struct wl_interface wl_shm_interface;
extern struct wl_interface wl_buffer_interface;
extern struct wl_interface wl_data_offer_interface;
extern struct wl_interface wl_data_source_interface;
extern struct wl_interface wl_data_device_interface;
extern struct wl_interface wl_data_device_manager_interface;
extern struct wl_interface wl_shell_interface;
extern struct wl_interface wl_shell_surface_interface;
extern struct wl_interface wl_surface_interface;
extern struct wl_interface wl_seat_interface;
extern struct wl_interface wl_pointer_interface;
extern struct wl_interface wl_keyboard_interface;
extern struct wl_interface wl_touch_interface;
extern struct wl_interface wl_output_interface;
extern struct wl_interface wl_region_interface;
extern struct wl_interface wl_subcompositor_interface;
extern struct wl_interface wl_subsurface_interface;
extern struct wl_interface wl_fixes_interface;
