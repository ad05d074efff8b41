/*
 * Whom we believe, from our settings; nothing of an answer changes it, so no discovery is needed
 * (facts 7.5, check 3).
 */
#ifndef LPALIAS_OPENID_PROVIDER_H
#define LPALIAS_OPENID_PROVIDER_H

#define OPENID_PROVIDER_UBUNTU_ONE_ENDPOINT    "https://login.ubuntu.com/+openid"
#define OPENID_PROVIDER_UBUNTU_ONE_IDENTIFIERS "https://login.ubuntu.com/+id/"

struct openid_provider {
    const char *endpoint;    /* where requests and verifications go */
    const char *identifiers; /* what a claimed identifier begins with; ends with a slash */
};

#endif
