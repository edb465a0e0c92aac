package clientstream

import (
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
)

// received returns a file with the text "new" that has no name yet. If
// replace is set, it will replace a file with the text "old".
func received(t *testing.T, s *UploadServer, replace bool) *incoming {
	t.Helper()
	info := named("f")
	if info.Replace = replace; replace {
		write(t, s, "f", "old")
	}
	file, err := newPartial(s.Root)
	require.NoError(t, err)
	t.Cleanup(file.discard)
	in := &incoming{info: info, limit: 100, hash: sha256.New(), file: file}
	require.NoError(t, in.write(chunk("new")))
	return in
}

func isDir(t *testing.T, f *os.File) bool {
	t.Helper()
	stat, err := f.Stat()
	require.NoError(t, err)
	return stat.IsDir()
}

// If the power fails between two of these steps, the name f belongs to the
// whole file, or to the old file, or to no file.
func TestPublish_SyncsFileThenNamesItThenSyncsDir(t *testing.T) {
	for name, replace := range map[string]bool{"a new file": false, "a replaced file": true} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			in := received(t, s, replace)
			var steps []string
			in.file.sync = func(f *os.File) error {
				text, _ := s.Root.ReadFile("f") // "" if there is no file
				if isDir(t, f) {
					steps = append(steps, "directory, f="+string(text))
				} else {
					steps = append(steps, "file, f="+string(text))
				}
				return f.Sync()
			}
			_, err := in.finish()
			require.NoError(t, err)
			want := []string{"file, f=", "directory, f=new"}
			if replace {
				want[0] += "old"
			}
			if runtime.GOOS == "windows" { // where no directory can be synced
				want = want[:1]
			}
			require.Equal(t, want, steps)
		})
	}
}

// Each step fails once. What fails is not stored, with one exception.
func TestPublish_FailureHasItsCodeAndStoresNothing(t *testing.T) {
	fail := func(err error) func(*partial, *os.File) error {
		return func(*partial, *os.File) error { return err }
	}
	for _, tt := range []struct {
		name string
		sync func(*partial, *os.File) error
		dir  bool // call sync for the directory, not for the file
		code codes.Code
	}{
		{"sync of the file", fail(syscall.EIO), false, codes.Internal},
		{"sync of the file: disk full", fail(syscall.ENOSPC), false, codes.ResourceExhausted},
		{"close", func(_ *partial, f *os.File) error { return f.Close() }, false, codes.Internal},
		{"rename", func(p *partial, _ *os.File) error { return p.root.Remove(p.name) }, false, codes.Internal},
		{"sync of the directory", fail(syscall.EIO), true, codes.Internal},
		{"sync of the directory: disk full", fail(syscall.ENOSPC), true, codes.ResourceExhausted},
	} {
		for kind, replace := range map[string]bool{"new": false, "replaced": true} {
			t.Run(tt.name+", "+kind, func(t *testing.T) {
				if tt.dir && runtime.GOOS == "windows" {
					t.Skip("no directory can be synced there")
				}
				s := newServer(t)
				in := received(t, s, replace)
				in.file.sync = func(f *os.File) error {
					if isDir(t, f) == tt.dir {
						return tt.sync(in.file, f)
					}
					return f.Sync()
				}
				receipt, err := in.finish()
				requireCode(t, tt.code, err)
				require.Nil(t, receipt)
				in.file.discard()
				switch {
				case !replace:
					require.Empty(t, names(t, s))
				case tt.dir: // the exception: the old file is gone
					require.Equal(t, "new", read(t, s, "f"))
				default:
					require.Equal(t, "old", read(t, s, "f"))
				}
			})
		}
	}
}

func TestPublish_TakesBackOnlyItsOwnFile(t *testing.T) {
	s := newServer(t)
	in := received(t, s, false)
	in.file.sync = func(f *os.File) error {
		if !isDir(t, f) {
			return nil
		}
		write(t, s, "other", "other")
		return errors.Join(syscall.EIO, s.Root.Rename("other", "f"))
	}
	_, err := in.finish()
	if runtime.GOOS != "windows" {
		requireCode(t, codes.Internal, err)
		require.Equal(t, "other", read(t, s, "f"))
	}
}

// The disk fails after the name was given, and from then on. A closed root
// refuses each later step.
func TestPublish_DeadDiskKeepsTheNewFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no directory can be synced there")
	}
	s := newServer(t)
	in := received(t, s, false)
	in.file.sync = func(f *os.File) error {
		if !isDir(t, f) {
			return nil
		}
		return errors.Join(syscall.EIO, s.Root.Close())
	}
	_, err := in.finish()
	requireCode(t, codes.Internal, err)
	in.file.discard()
	left, err := os.ReadDir(s.Root.Name())
	require.NoError(t, err)
	require.Len(t, left, 2)
	require.Equal(t, []string{in.file.name, "f"}, []string{left[0].Name(), left[1].Name()})
}

func TestDiscard_ClosesAndRemovesTheFile(t *testing.T) {
	s := newServer(t)
	in := received(t, s, false)
	in.file.discard()
	require.ErrorIs(t, in.file.Sync(), fs.ErrClosed)
	require.Empty(t, names(t, s))
}
