/* SPDX-License-Identifier: ISC */
/*
 * The pool of locked memory. A page serves one size class; its header sits at its start, so the
 * page of a slot is found by masking. What is larger than the largest class has pages of its own.
 * One pool a process; threads of libraries may use it too, hence the mutex.
 */
#include "base/bytes.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"

#if defined(__SANITIZE_ADDRESS__)
#define POOL_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POOL_ASAN 1
#endif
#endif

#ifdef POOL_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(p, n)   ASAN_POISON_MEMORY_REGION((p), (n))
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
#else
#define POISON(p, n)   ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

#define SLOT_MIN 32u
#define CLASSES  6      /* 32 .. 1024 octets */

struct slot {
	struct slot *next;
};

struct page {
	struct page *next, *prev;  /* in the list it is on */
	struct slot *free;
	size_t size;               /* of the mapping */
	size_t live;
	bool locked;
};

#define HEADER ((sizeof(struct page) + 31) & ~(size_t)31)

static struct {
	pthread_mutex_t mutex;
	struct page *some[CLASSES];    /* pages with free slots, by class */
	struct page *full[CLASSES + 1]; /* pages without; the last list is of large secrets */
	size_t page_size;
	size_t unlocked, live;
	pthread_once_t once;
	bool forked;                   /* mlock() does not survive fork(): lock anew */
} pool = { .mutex = PTHREAD_MUTEX_INITIALIZER, .once = PTHREAD_ONCE_INIT };

static size_t
class_size(size_t class)
{
	return SLOT_MIN << class;
}

/* CLASSES for what needs pages of its own. */
static size_t
class_of(size_t n)
{
	size_t class = 0;

	while (class < CLASSES && class_size(class) < n)
		class++;
	return class;
}

static struct page *
page_of(const void *p)
{
	return (struct page *)((uintptr_t)p & ~(uintptr_t)(pool.page_size - 1));
}

static void
list_add(struct page **list, struct page *pg)
{
	pg->prev = NULL;
	pg->next = *list;
	if (pg->next != NULL)
		pg->next->prev = pg;
	*list = pg;
}

static void
list_del(struct page **list, struct page *pg)
{
	if (pg->prev != NULL)
		pg->prev->next = pg->next;
	else
		*list = pg->next;
	if (pg->next != NULL)
		pg->next->prev = pg->prev;
}

static void
relock(struct page *pg)
{
	for (; pg != NULL; pg = pg->next) {
		bool was = pg->locked;

		pg->locked = mlock(pg, pg->size) == 0;
		if (was && !pg->locked)
			pool.unlocked += pg->live;
		else if (!was && pg->locked)
			pool.unlocked -= pg->live;
	}
}

static void
before_fork(void)
{
	(void)pthread_mutex_lock(&pool.mutex);
}

static void
after_fork(void)
{
	(void)pthread_mutex_unlock(&pool.mutex);
}

static void
after_fork_child(void)
{
	pool.forked = true;
	after_fork();
}

static void
pool_open(void)
{
	pool.page_size = (size_t)sysconf(_SC_PAGESIZE);
	(void)pthread_atfork(before_fork, after_fork, after_fork_child);
}

static void
pool_lock(void)
{
	size_t i;

	(void)pthread_once(&pool.once, pool_open);
	(void)pthread_mutex_lock(&pool.mutex);
	if (!pool.forked)
		return;
	pool.forked = false;
	for (i = 0; i < CLASSES; i++)
		relock(pool.some[i]);
	for (i = 0; i <= CLASSES; i++)
		relock(pool.full[i]);
}

static void
pool_unlock(void)
{
	(void)pthread_mutex_unlock(&pool.mutex);
}

static struct page *
page_new(size_t size)
{
	struct page *pg;

	pg = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pg == MAP_FAILED)
		return NULL;
	pg->size = size;
	pg->locked = mlock(pg, size) == 0;
#ifdef MADV_DONTDUMP
	(void)madvise(pg, size, MADV_DONTDUMP);
#endif
	return pg;
}

static struct page *
class_page_new(size_t class)
{
	size_t size = class_size(class), at;
	struct page *pg = page_new(pool.page_size);

	if (pg == NULL)
		return NULL;
	for (at = HEADER; at + size <= pg->size; at += size) {
		struct slot *s = (struct slot *)(void *)((uint8_t *)pg + at);

		s->next = pg->free;
		pg->free = s;
		POISON(s, size);
	}
	list_add(&pool.some[class], pg);
	return pg;
}

static uint8_t *
slot_take(size_t class)
{
	struct page *pg = pool.some[class];
	struct slot *s;

	if (pg == NULL && (pg = class_page_new(class)) == NULL)
		return NULL;
	s = pg->free;
	UNPOISON(s, sizeof *s);
	pg->free = s->next;
	s->next = NULL;
	POISON(s, sizeof *s);
	pg->live++;
	if (pg->free == NULL) {
		list_del(&pool.some[class], pg);
		list_add(&pool.full[class], pg);
	}
	return (uint8_t *)s;
}

static uint8_t *
large_take(size_t n)
{
	size_t size;
	struct page *pg;

	if (n > SIZE_MAX / 2)
		return NULL;
	size = (HEADER + n + pool.page_size - 1) & ~(pool.page_size - 1);
	pg = page_new(size);
	if (pg == NULL)
		return NULL;
	pg->live = 1;
	list_add(&pool.full[CLASSES], pg);
	return (uint8_t *)pg + HEADER;
}

static void
page_drop(struct page **list, struct page *pg)
{
	list_del(list, pg);
	UNPOISON(pg, pg->size);
	(void)munmap(pg, pg->size);
}

static void
slot_give(uint8_t *p, size_t class)
{
	struct page *pg = page_of(p);
	struct slot *s = (struct slot *)(void *)p;

	pg->live--;
	if (class == CLASSES) {
		page_drop(&pool.full[CLASSES], pg);
		return;
	}
	if (pg->free == NULL) {
		list_del(&pool.full[class], pg);
		list_add(&pool.some[class], pg);
	}
	UNPOISON(s, sizeof *s);
	s->next = pg->free;
	pg->free = s;
	POISON(s, class_size(class));
	/* One empty page a class is kept, so that a lone secret does not map and unmap for ever. */
	if (pg->live == 0 && (pg->next != NULL || pg->prev != NULL))
		page_drop(&pool.some[class], pg);
}

int
secret_new(struct secret *s, size_t n)
{
	size_t class = class_of(n);
	uint8_t *p;

	secret_free(s);
	if (n == 0)
		return OK;
	pool_lock();
	p = class == CLASSES ? large_take(n) : slot_take(class);
	if (p != NULL) {
		pool.live++;
		pool.unlocked += page_of(p)->locked ? 0 : 1;
		UNPOISON(p, n);
	}
	pool_unlock();
	if (p == NULL)
		return ERR_NOMEM;
	s->p = p;
	s->n = n;
	return OK;
}

int
secret_copy(struct secret *to, struct bytes from)
{
	struct secret fresh = { 0 };
	int r;

	/* `from` may be a view of `to`. */
	if ((r = secret_new(&fresh, from.n)) == OK && from.n != 0)
		memcpy(fresh.p, from.p, from.n);
	secret_move(to, &fresh);
	return r;
}

void
secret_move(struct secret *to, struct secret *from)
{
	struct secret held = *from;

	from->p = NULL;
	from->n = 0;
	secret_free(to);
	*to = held;
}

void
secret_free(struct secret *s)
{
	if (s->p != NULL) {
		wipe(s->p, s->n);
		pool_lock();
			pool.live--;
		pool.unlocked -= page_of(s->p)->locked ? 0 : 1;
		slot_give(s->p, class_of(s->n));
		pool_unlock();
	}
	s->p = NULL;
	s->n = 0;
}

size_t
secret_unlocked(void)
{
	size_t n;

	pool_lock();
	n = pool.unlocked;
	pool_unlock();
	return n;
}

size_t
secret_live(void)
{
	size_t n;

	pool_lock();
	n = pool.live;
	pool_unlock();
	return n;
}
