/* The two calls that Debian's fortified libnftnl and libmnl make and musl does not have. */
#include <stdarg.h>
#include <stddef.h>

int vsnprintf(char *, size_t, const char *, va_list);
int vfprintf(void *, const char *, va_list);

int __snprintf_chk(char *to, size_t room, int flag, size_t known, const char *format, ...)
{
	(void)flag;
	va_list more;
	va_start(more, format);
	int len = vsnprintf(to, room < known ? room : known, format, more);
	va_end(more);
	return len;
}

int __fprintf_chk(void *to, int flag, const char *format, ...)
{
	(void)flag;
	va_list more;
	va_start(more, format);
	int len = vfprintf(to, format, more);
	va_end(more);
	return len;
}
