package clientstream

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
)

// maxNameBytes is the limit of common file systems.
const maxNameBytes = 255

// checkName refuses a name that could lead out of the directory, hide in
// it, or disturb a terminal that lists it. [os.Root] also stops names that
// lead out, but later and with a message that says less.
func checkName(name string) error {
	switch {
	case name == "" || len(name) > maxNameBytes:
		return invalid("name: must have 1 to %d bytes, got %d", maxNameBytes, len(name))
	case strings.ContainsAny(name, `/\`):
		return invalid("name: must not contain a slash or a backslash, got %q", name)
	case strings.HasPrefix(name, "."): // ".", "..", and the names of partial files
		return invalid("name: must not begin with a dot, got %q", name)
	case strings.ContainsFunc(name, unicode.IsControl):
		return invalid("name: must not contain a control character, got %q", name)
	case !filepath.IsLocal(name): // on Windows: NUL, COM1, a colon
		return invalid("name: must not be reserved by the server's system, got %q", name)
	}
	return nil
}

// checkFree refuses a name that is in use, before the client sends a chunk.
// At the end, [partial.publish] decides again.
func checkFree(root *os.Root, info *uploadv1.FileInfo) error {
	found, err := root.Lstat(info.GetName())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return toStatus(err)
	case !found.Mode().IsRegular():
		return status.Errorf(codes.AlreadyExists,
			"name: must be new or that of a regular file, got %q", info.GetName())
	case !info.GetReplace():
		return errNameInUse(info.GetName())
	}
	return nil
}

func errNameInUse(name string) error {
	return status.Errorf(codes.AlreadyExists, "name: must be new unless replace is set, got %q", name)
}
