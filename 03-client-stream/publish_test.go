package clientstream

import (
	"errors"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// received returns an upload of "new" to the file f that waits for finish.
func received(t *testing.T, s *UploadServer, replace bool) *incoming {
	t.Helper()
	file, err := newPartial(s.Root)
	require.NoError(t, err)
	t.Cleanup(file.discard)
	info := named("f")
	info.Replace = replace
	in := &incoming{info: info, limit: 100, file: file}
	in.hash = newHash()
	require.NoError(t, in.write(chunk("new")))
	return in
}

// A power failure between any two steps leaves the whole file under its
// name, or no file.
func TestPublish_SyncsFileThenNamesItThenSyncsDirectory(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows cannot sync a directory")
	}
	for name, replace := range map[string]bool{"new": false, "replaced": true} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			in := received(t, s, replace)
			var steps []string
			in.file.sync = func(f *os.File) error {
				stat, err := f.Stat()
				require.NoError(t, err)
				_, err = s.Root.Lstat("f")
				steps = append(steps, map[bool]string{false: "file", true: "directory"}[stat.IsDir()]+
					map[bool]string{false: " before the name", true: " after the name"}[err == nil])
				return f.Sync()
			}
			_, err := in.finish()
			require.NoError(t, err)
			require.Equal(t, []string{"file before the name", "directory after the name"}, steps)
		})
	}
}
