/* An enum and the words of its members, made from one list of X(MEMBER, "word"), so that neither
 * can lack what the other has. Members count from 0 without gaps. */
#ifndef AUXSEG_BASE_CHOICE_H
#define AUXSEG_BASE_CHOICE_H

#include <stddef.h>

#define CHOICE_MEMBER(member_, word_) member_,
#define CHOICE_WORD(member_, word_) [member_] = word_,

/* In a header: the enum `name` and its words, `name`_words[MEMBER], NULL past the last. */
#define CHOICE_DECLARE(name_, list_)                                                               \
    typedef enum name_ { list_(CHOICE_MEMBER) } name_;                                             \
    extern const char *const name_##_words[]
/* In one .c file. */
#define CHOICE_DEFINE(name_, list_) const char *const name_##_words[] = {list_(CHOICE_WORD) NULL}

/* The member with this word; -1: there is none. */
int choice_find(const char *const *words, const char *word);
/* "a|b|c" into text [size], cut where it does not fit. */
void choice_list(const char *const *words, char *text, size_t size);

#endif
