package clientstream

import (
	"errors"
	"io/fs"
	"os"
	"regexp"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
	"example.com/streams/internal/printable"
)

// maxNameBytes is the limit of common file systems.
const maxNameBytes = 255

// devices matches the names of devices on Windows, also with an extension.
var devices = regexp.MustCompile(`(?i)^(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[0-9¹²³]) *(\.|$)`)

// checkName refuses a name that could
//   - lead out of the directory: a slash or a backslash. [os.Root] also
//     stops such names, but later and with a message that says less;
//   - hide in the directory, or be taken for an option by a command that
//     is called with *: a dot or a hyphen at the start;
//   - deceive the reader of a list: a character that is not printable,
//     such as a control character or one that reverses the text;
//   - mean something else on Windows, which may share the directory:
//     characters that Windows does not allow, a dot or a space at the end,
//     which Windows removes, and the names of devices.
//
// FuzzUpload looks for names that get past these checks and past [os.Root].
func checkName(name string) error {
	switch {
	case name == "" || len(name) > maxNameBytes:
		return invalid("name: must have 1 to %d bytes, got %d", maxNameBytes, len(name))
	case strings.ContainsAny(name, `/\<>:"|?*`):
		return invalid(`name: must not contain any of /\<>:"|?*, got %q`, name)
	case printable.Escape(name) != name:
		return invalid("name: must have only printable characters, got %q", name)
	case strings.ContainsAny(name[:1], ".-"): // ".", "..", and the names of partial files
		return invalid("name: must not begin with a dot or a hyphen, got %q", name)
	case strings.ContainsAny(name[len(name)-1:], ". "):
		return invalid("name: must not end with a dot or a space, got %q", name)
	case devices.MatchString(name):
		return invalid("name: must not be reserved by Windows, got %q", name)
	}
	return nil
}

// checkFree refuses a name that is in use, unless info replaces a regular
// file, without waiting for a chunk.
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
