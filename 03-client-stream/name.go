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

// maxNameBytes is what common file systems take.
const maxNameBytes = 255

// checkName refuses a name that could leave the directory, hide in it, or
// confuse who lists it. [os.Root] would stop the first kind too, but later
// and with a worse message.
func checkName(name string) error {
	switch {
	case name == "":
		return invalid("name: must not be empty")
	case len(name) > maxNameBytes:
		return invalid("name: must have at most %d bytes, got %d", maxNameBytes, len(name))
	case strings.ContainsAny(name, `/\`):
		return invalid("name: must not contain a slash or a backslash, got %q", name)
	case strings.HasPrefix(name, "."): // ".", "..", and the names of partial files
		return invalid("name: must not begin with a dot, got %q", name)
	case strings.ContainsFunc(name, unicode.IsControl):
		return invalid("name: must not contain a control character, got %q", name)
	case !filepath.IsLocal(name): // NUL and COM1 on Windows
		return invalid("name: is reserved on this system, got %q", name)
	}
	return nil
}

// checkFree refuses a name that is taken, before any chunk is sent for it.
// [partial.publish] decides again at the end.
func checkFree(root *os.Root, info *uploadv1.FileInfo) error {
	found, err := root.Lstat(info.GetName())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return toStatus(err)
	case !found.Mode().IsRegular():
		return status.Errorf(codes.AlreadyExists, "name: %q exists and is not a file", info.GetName())
	case !info.GetReplace():
		return taken(info.GetName())
	}
	return nil
}

func taken(name string) error {
	return status.Errorf(codes.AlreadyExists, "name: %q exists", name)
}
