/* lease.c - lists of leases, and whose one is. */
#include "coordinator/dispatch/lease.h"

#include <string.h>

void
lease_link(struct lease **list, struct lease *l)
{
    l->next = *list;
    l->link = list;
    if (l->next != NULL)
        l->next->link = &l->next;
    *list = l;
}

void
lease_unlink(struct lease *l)
{
    if (l->link == NULL)
        return;
    *l->link = l->next;
    if (l->next != NULL)
        l->next->link = l->link;
    l->link = NULL;
}

bool
lease_is_of(const struct lease *l, const struct session *s, bool result)
{
    return strcmp(l->name, s->name) == 0 && (result || strcmp(l->boot, s->boot) == 0);
}
