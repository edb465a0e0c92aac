// Code generated from 03-client-stream/name_test.go; DO NOT EDIT.

package fastupload

import (
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
)

// badNames returns an upload for each kind of name that the server refuses.
func badNames() (all []refusal) {
	const (
		characters = `must not contain any of /\<>:"|?*, got `
		printable  = "must have only printable characters, got "
		start      = "must not begin with a dot or a hyphen, got "
		end        = "must not end with a dot or a space, got "
		windows    = "must not be reserved by Windows, got "
	)
	for name, says := range map[string]string{
		"":                       "must have 1 to 255 bytes, got 0",
		strings.Repeat("x", 256): "must have 1 to 255 bytes, got 256",
		"../f":                   characters,
		"/etc/passwd":            characters,
		"a/f":                    characters,
		`..\f`:                   characters,
		"a:b":                    characters,
		"<f":                     characters,
		"f>":                     characters,
		`"f"`:                    characters,
		"f|g":                    characters,
		"f?":                     characters,
		"*":                      characters,
		"f\x00":                  printable,
		"f\n":                    printable,
		"\u202egpj.exe":          printable, // is shown as exe.jpg
		"f\u200bg":               printable, // is shown as fg
		"f\u2028g":               printable, // a line break
		"f\u3164":                printable, // a letter without ink
		".":                      start,
		"..":                     start,
		".hidden":                start,
		".upload-ABC":            start,
		"-rf":                    start,
		"f.":                     end,
		"f ":                     end,
		" ":                      end,
		"NUL":                    windows,
		"con.txt":                windows,
		"Aux .c":                 windows,
		"prn":                    windows,
		"COM1":                   windows,
		"lpt³.log":               windows,
		"conin$":                 windows,
		"CONOUT$":                windows,
	} {
		if name != "" && len(name) < 256 {
			says += strconv.Quote(name)
		}
		all = append(all, refusal{"the name " + name[:min(len(name), 20)], sends(info(name)), codes.InvalidArgument, "name: " + says})
	}
	return all
}

func TestUpload_TakesNamesOfOtherFiles(t *testing.T) {
	for _, name := range []string{
		"f", "a..b", "a b-c_d~1.tar.gz", "été", "日本語.txt", "nul_", "console", "COM", "COM10", "icon.aux",
		strings.Repeat("x", 255),
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(t)
			_, err := Upload(t.Context(), dial(t, s), named(name), strings.NewReader("x"), nil)
			require.NoError(t, err, "name %q", name)
			require.Equal(t, []string{name}, names(t, s))
		})
	}
}

func TestUpload_DoesNotReplaceALink(t *testing.T) {
	s := newServer(t)
	write(t, s, "old", "old")
	if err := s.Root.Symlink("old", "link"); err != nil {
		t.Skipf("no links here: %v", err)
	}
	_, err := open(t, t.Context(), dial(t, s), replacing("link"), chunk("new")).CloseAndRecv()
	requireCode(t, codes.AlreadyExists, err)
	require.ErrorContains(t, err, `name: must be new or that of a regular file, got "link"`)
	require.Equal(t, "old", read(t, s, "link"))
}
