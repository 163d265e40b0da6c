/* gw_domain.h - what the operations on custom domain names of both services share. A domain and its
 * mappings are kept once, in the form of the first service (with an apiMappingId). */
#ifndef PUDDLE_GW_DOMAIN_H
#define PUDDLE_GW_DOMAIN_H
#include "gw_store.h"

bool domain_check_name(struct call *c, struct str name);
/* Is it right, new and asks for nothing that is not done? */
bool domain_check_new(struct call *c, struct str name);
/* The members of a new domain's document that the client does not choose. */
void domain_write_names(struct call *c, struct json_out *w, struct str name, struct str type);
/* domainName of the call. */
bool domain_need(struct call *c, struct str *name, struct str *text);
/* Its mappings. */
size_t domain_mappings(struct call *c, struct str domain, struct gw_doc **ret);
/* Under which a mapping is kept; base may be empty. */
struct str domain_mapping_id(struct call *c, struct str domain, struct str base);
/* A new mapping's document. */
struct str domain_mapping_new(struct call *c, struct str base, struct str api, struct str stage);
#endif
