/* libyaml (Debian: libyaml-dev) for Swift, as it is. */
#include <yaml.h>
