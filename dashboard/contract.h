/* openapi.yaml, as the build compiled it in. */
#ifndef UW_DASHBOARD_CONTRACT_H
#define UW_DASHBOARD_CONTRACT_H

extern const unsigned char uw_contract_text[]; /* followed by a NUL that is not counted */
extern const unsigned long uw_contract_bytes;

#endif
