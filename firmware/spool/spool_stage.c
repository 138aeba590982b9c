// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Staged rows: what was said since the last commit, and the reads that look through it at what is
 * committed. A key has one op, found by an open-addressing index that is emptied as a whole with a
 * commit (no removal, no tombstones).
 */
#include <string.h>

#include "base/assert.h"

#include "spool/spool_db.h"

_Static_assert(SPOOL_OP_SLOTS >= 2u * SPOOL_OPS_MAX, "the index fills up");
_Static_assert((SPOOL_OP_SLOTS & (SPOOL_OP_SLOTS - 1u)) == 0, "the index is masked");
_Static_assert(SPOOL_OPS_MAX < UINT16_MAX, "an index entry is 16 bits");
_Static_assert(SPOOL_ROW_BYTES_MAX <= UINT16_MAX && SPOOL_KEY_BYTES_MAX <= UINT8_MAX, "op fields");

#define LARGEST_OP_BYTES (SPOOL_KEY_BYTES_MAX + SPOOL_ROW_BYTES_MAX)

int key_compare(struct span a, struct span b)
{
    size_t both = a.len < b.len ? a.len : b.len;
    int order = both == 0 ? 0 : memcmp(a.ptr, b.ptr, both);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

struct span op_key(const struct spool_stage *stage, const struct spool_op *op)
{
    return (struct span){.ptr = stage->bytes + op->at, .len = op->key_bytes};
}

struct span op_value(const struct spool_stage *stage, const struct spool_op *op)
{
    return (struct span){.ptr = stage->bytes + op->at + op->key_bytes, .len = op->value_bytes};
}

static bool
op_is(const struct spool_stage *stage, const struct spool_op *op, unsigned table, struct span key)
{
    return op->table == table && op->key_bytes == key.len &&
           memcmp(stage->bytes + op->at, key.ptr, key.len) == 0;
}

// FNV-1a: keys are short, and the worst an upstream could do by choosing ids is a slow lookup among
// 2048.
static uint32_t hash(unsigned table, struct span key)
{
    uint32_t h = (2166136261u ^ table) * 16777619u;
    for (size_t i = 0; i < key.len; i++) {
        h = (h ^ (uint8_t)key.ptr[i]) * 16777619u;
    }
    return h ^ (h >> 15);
}

// The slot of the key, or the free one where it belongs.
static uint32_t find_slot(const struct spool_stage *stage, unsigned table, struct span key)
{
    uint32_t slot = hash(table, key) & (SPOOL_OP_SLOTS - 1u);
    for (uint32_t tries = 0; tries < SPOOL_OP_SLOTS; tries++) {
        uint16_t entry = stage->slots[slot];
        if (entry == 0 || op_is(stage, &stage->ops[entry - 1u], table, key)) {
            break;
        }
        slot = (slot + 1u) & (SPOOL_OP_SLOTS - 1u);
    }
    return slot;
}

const struct spool_op *
stage_find(const struct spool_stage *stage, enum spool_table table, struct span key)
{
    uint16_t entry = stage->slots[find_slot(stage, table, key)];
    return entry == 0 ? NULL : &stage->ops[entry - 1u];
}

const struct spool_op *
stage_first(const struct spool_stage *stage, enum spool_table table, struct spool_from from)
{
    const struct spool_op *first = NULL;
    for (uint32_t i = 0; i < stage->ops_count; i++) {
        const struct spool_op *op = &stage->ops[i];
        if (op->table != table || op->removes) {
            continue;
        }
        int order = key_compare(op_key(stage, op), from.key);
        if (order < 0 || (from.after && order == 0)) {
            continue;
        }
        if (first == NULL || key_compare(op_key(stage, op), op_key(stage, first)) < 0) {
            first = op;
        }
    }
    return first;
}

static bool op_less(const struct spool_stage *stage, uint16_t left, uint16_t right)
{
    const struct spool_op *a = &stage->ops[left];
    const struct spool_op *b = &stage->ops[right];
    if (a->table != b->table) {
        return a->table < b->table;
    }
    return key_compare(op_key(stage, a), op_key(stage, b)) < 0;
}

// Shell's sort: rows mostly come in order already, and the C library's qsort may allocate.
void stage_sort(struct spool_stage *stage)
{
    static const uint16_t gaps[] = {701, 301, 132, 57, 23, 10, 4, 1};
    for (uint32_t i = 0; i < stage->ops_count; i++) {
        stage->order[i] = (uint16_t)i;
    }
    for (size_t g = 0; g < sizeof(gaps) / sizeof(gaps[0]); g++) {
        for (uint32_t i = gaps[g]; i < stage->ops_count; i++) {
            uint16_t moved = stage->order[i];
            uint32_t at = i;
            for (; at >= gaps[g] && op_less(stage, moved, stage->order[at - gaps[g]]);
                 at -= gaps[g]) {
                stage->order[at] = stage->order[at - gaps[g]];
            }
            stage->order[at] = moved;
        }
    }
}

void stage_clear(struct spool_stage *stage)
{
    if (stage->ops_count != 0) {
        memset(stage->slots, 0, sizeof(stage->slots));
    }
    stage->ops_count = 0;
    stage->bytes_used = 0;
}

// A new place for key and value, for a new op or for a value that has outgrown its place.
static enum rc
place(struct spool_stage *stage, struct spool_op *op, struct span key, size_t value_bytes)
{
    if (key.len + value_bytes > SPOOL_STAGED_BYTES - stage->bytes_used) {
        return RC_FULL;
    }
    op->at = stage->bytes_used;
    op->key_bytes = (uint8_t)key.len;
    op->value_room = (uint16_t)value_bytes;
    memcpy(stage->bytes + op->at, key.ptr, key.len);
    stage->bytes_used += (uint32_t)(key.len + value_bytes);
    return RC_OK;
}

static enum rc stage_op(struct spool_stage *stage,
                        enum spool_table table,
                        struct span key,
                        struct span value,
                        bool removes)
{
    ASSERT(table > 0 && table < SPOOL_TABLES && table != SPOOL_SINK);
    ASSERT(key.len >= 1 && key.len <= SPOOL_KEY_BYTES_MAX && value.len <= SPOOL_ROW_BYTES_MAX);
    uint32_t slot = find_slot(stage, table, key);
    bool is_new = stage->slots[slot] == 0;
    if (is_new && stage->ops_count == SPOOL_OPS_MAX) {
        return RC_FULL;
    }
    struct spool_op *op = &stage->ops[is_new ? stage->ops_count : stage->slots[slot] - 1u];
    if (is_new || value.len > op->value_room) {
        TRY(place(stage, op, key, value.len));
    }
    if (is_new) {
        stage->ops_count++;
        stage->slots[slot] = (uint16_t)stage->ops_count;
        op->table = (uint8_t)table;
    }
    op->removes = removes;
    op->value_bytes = (uint16_t)value.len;
    if (value.len > 0) {
        memcpy(stage->bytes + op->at + op->key_bytes, value.ptr, value.len);
    }
    return RC_OK;
}

RC spool_put(struct spool *s, enum spool_table table, struct span key, struct span value)
{
    ASSERT(table != SPOOL_DEAD);
    return stage_op(&s->stage, table, key, value, false);
}

RC spool_delete(struct spool *s, enum spool_table table, struct span key)
{
    return stage_op(&s->stage, table, key, SPAN_NONE, true);
}

bool spool_staging_has(const struct spool *s, unsigned rows)
{
    uint64_t bytes = (uint64_t)rows * LARGEST_OP_BYTES;
    return rows <= SPOOL_OPS_MAX - s->stage.ops_count &&
           bytes <= SPOOL_STAGED_BYTES - s->stage.bytes_used;
}
