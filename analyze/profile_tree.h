/* The tree of calls as it is shown: which of its nodes, in what order. */
#ifndef PT_ANALYZE_PROFILE_TREE_H
#define PT_ANALYZE_PROFILE_TREE_H

#include "analyze/profile.h"

struct pt_tree_view {
    const struct pt_profile *profile;
    const struct pt_calltree *tree; /* finished */
    const struct pt_profile_rows *rows;
    uint8_t *shown;         /* by node; a node above a shown one is */
    uint32_t *first, *next; /* shown children, those of most time first */
    uint64_t least;         /* ns: less than that is not worth a line */
    uint32_t nodes, nshown; /* without the roots of threads */
};

/* PT_ENOMEM. */
enum pt_status pt_profile_tree_text(struct pt_session *,
                                    const struct pt_tree_view *);

#endif
