/** For the rooms below: names of files for processes that may have been started elsewhere. */
#ifndef BASE_FILE_NAME_H
#define BASE_FILE_NAME_H

#include "engram/status.h"

/** `name` with the current directory in front, unless it begins at the root; links stay as they
 *  are: on another host they may lead elsewhere, as they are meant to. A new string. */
eg_status eg_file_absolute(char **out, const char *name) EG_WARN_UNUSED;

#endif
