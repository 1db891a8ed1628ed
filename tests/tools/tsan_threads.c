/*
 * For builds with the thread sanitizer only. Debian's librdkafka makes its threads and locks by C11's <threads.h>, which the
 * sanitizer does not know: a thread that it has not seen being made ends the program. Here the same calls are made of
 * POSIX threads, which it does know; glibc's types have room for each other.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

_Static_assert(sizeof(mtx_t) >= sizeof(pthread_mutex_t), "a mutex has room for the other");
_Static_assert(sizeof(cnd_t) >= sizeof(pthread_cond_t), "a condition has room for the other");
_Static_assert(sizeof(thrd_t) == sizeof(pthread_t), "a thread's name is the other's");

struct start {
    thrd_start_t function;
    void *argument;
};

static void *run(void *context)
{
    struct start start = *(struct start *)context;

    free(context);
    return (void *)(intptr_t)start.function(start.argument);
}

static int answer(int refused)
{
    return refused == 0 ? thrd_success : thrd_error;
}

int thrd_create(thrd_t *thread, thrd_start_t function, void *argument)
{
    struct start *start = malloc(sizeof(*start));

    if (start == NULL)
        return thrd_nomem;
    *start = (struct start){function, argument};
    if (pthread_create((pthread_t *)thread, NULL, run, start) != 0) {
        free(start);
        return thrd_error;
    }
    return thrd_success;
}

int thrd_join(thrd_t thread, int *result)
{
    void *ended = NULL;
    int refused = pthread_join((pthread_t)thread, &ended);

    if (result != NULL)
        *result = (int)(intptr_t)ended;
    return answer(refused);
}

int thrd_detach(thrd_t thread)
{
    return answer(pthread_detach((pthread_t)thread));
}

int mtx_init(mtx_t *mutex, int type)
{
    pthread_mutexattr_t attributes;
    int refused = pthread_mutexattr_init(&attributes);

    if (refused == 0 && (type & mtx_recursive) != 0)
        refused = pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    if (refused == 0)
        refused = pthread_mutex_init((pthread_mutex_t *)mutex, &attributes);
    return answer(refused);
}

int mtx_lock(mtx_t *mutex)
{
    return answer(pthread_mutex_lock((pthread_mutex_t *)mutex));
}

int mtx_trylock(mtx_t *mutex)
{
    return pthread_mutex_trylock((pthread_mutex_t *)mutex) == 0 ? thrd_success : thrd_busy;
}

int mtx_unlock(mtx_t *mutex)
{
    return answer(pthread_mutex_unlock((pthread_mutex_t *)mutex));
}

void mtx_destroy(mtx_t *mutex)
{
    (void)pthread_mutex_destroy((pthread_mutex_t *)mutex);
}

int cnd_init(cnd_t *condition)
{
    return answer(pthread_cond_init((pthread_cond_t *)condition, NULL));
}

int cnd_signal(cnd_t *condition)
{
    return answer(pthread_cond_signal((pthread_cond_t *)condition));
}

int cnd_broadcast(cnd_t *condition)
{
    return answer(pthread_cond_broadcast((pthread_cond_t *)condition));
}

int cnd_wait(cnd_t *condition, mtx_t *mutex)
{
    return answer(pthread_cond_wait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex));
}

int cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *until)
{
    int refused = pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex, until);

    return refused == ETIMEDOUT ? thrd_timedout : answer(refused);
}

void cnd_destroy(cnd_t *condition)
{
    (void)pthread_cond_destroy((pthread_cond_t *)condition);
}
