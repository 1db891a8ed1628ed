/* Which path does what, for whom. */
#ifndef UW_DASHBOARD_ROUTE_H
#define UW_DASHBOARD_ROUTE_H

#include "dashboard/page.h"
#include "dashboard/serve.h"
#include "dashboard/stream.h"
#include "dashboard/workflow.h"

/* What all workers share. */
struct uw_server {
    const struct uw_serve_options *options;
    struct uw_http *http;
    struct uw_desk *desks[UW_HTTP_WORKERS_MAX]; /* one a worker */
    struct uw_reporter *reporter;
    struct uw_stream *stream;
    struct uw_page *page;
    struct uw_webhooks *webhooks;
};

/* Fills the answer: uw_http_handle, with the server as its context. */
void uw_route(void *context, uint32_t worker, struct uw_http_request *request);

/* ---- serve_metrics.c ---- */
void uw_metrics_answer(struct uw_server *server, struct uw_desk *desk, struct uw_http_request *request);

#endif
