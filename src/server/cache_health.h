/* How the cache was at the last look. */
#ifndef LPALIAS_SERVER_CACHE_HEALTH_H
#define LPALIAS_SERVER_CACHE_HEALTH_H

enum cache_health {
    CACHE_UNKNOWN,    /* not looked at yet */
    CACHE_FINE,       /* read and believed */
    CACHE_DISTRUSTED, /* read, but not the one that was served before */
    CACHE_TROUBLED,   /* it or the keys cannot be read */
};

#endif
