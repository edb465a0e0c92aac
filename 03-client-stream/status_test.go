package clientstream

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestAnErrorOfTheDiskHasItsCode(t *testing.T) {
	for code, err := range map[codes.Code]error{
		codes.ResourceExhausted: syscall.ENOSPC,
		codes.PermissionDenied:  fs.ErrPermission,
		codes.Internal:          syscall.EIO,
	} {
		out := failing{&fs.PathError{Op: "write", Path: ".upload-ABC", Err: err}}
		in := &incoming{info: named("f"), max: 100, hash: sha256.New(), out: out}
		got := in.write(chunk("x"))
		require.Equal(t, code, status.Code(got), "got %v", got)
		require.Equal(t, fmt.Sprintf("write .upload-ABC: %v", err), status.Convert(got).Message())
	}
}

// A failing disk fails each write.
type failing struct{ error }

func (f failing) Write([]byte) (int, error) { return 0, f.error }
