/* Which source the program was built from. */
#ifndef AUXSEG_BASE_VERSION_H
#define AUXSEG_BASE_VERSION_H

/* `git describe` of the source at the time of the build, "-dirty" if files differed from it;
 * "unknown" where there was no git, or the source came without its history. */
extern const char version_commit[];
/* The commit's day, "2026-11-28"; "" where the commit is not known. */
extern const char version_date[];

#endif
