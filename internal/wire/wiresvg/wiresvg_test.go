package wiresvg

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const recording = `
      0s C->S HEADERS    stream=1   len=71    :path=/a.v1.A/Follow
      0s C->S DATA       stream=1   len=9     END_STREAM message=4B
      1s S->C HEADERS    stream=1   len=14    :status=200
      1s S->C DATA       stream=1   len=30    message=25B
     20s S->C DATA       stream=1   len=30    message=25B
   20.5s C->S RST_STREAM stream=1   len=4     code=CANCEL
`

func TestDraw_CaptionsFramesInOrder(t *testing.T) {
	svg, err := Draw("a < b", strings.TrimPrefix(recording, "\n"))
	require.NoError(t, err)
	require.Equal(t, []string{
		"a < b", "client", "server",
		"0 s", "HEADERS call Follow", "DATA the request",
		"1 s", "HEADERS the response begins", "DATA message 1",
		"20 s", "DATA message 2",
		"20.5 s", "RST_STREAM the client cancels",
	}, texts(t, svg))
}

func TestDraw_RefusesWhatIsNoRecording(t *testing.T) {
	for text, want := range map[string]string{
		"":           `recording: must have a frame, got none`,
		"hello\n":    `recording: must be lines of a wire.Tap, got "hello\n"`,
		"x y z 1 2 ": `recording: time: invalid duration "x"`,
	} {
		_, err := Draw("", text)
		require.EqualError(t, err, want)
	}
}

// texts returns the texts of a picture, which must be XML.
func texts(t *testing.T, svg string) (all []string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(svg))
	inside, text := false, ""
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		switch token := token.(type) {
		case xml.StartElement:
			if token.Name.Local == "text" || token.Name.Local == "title" {
				inside, text = true, ""
			}
		case xml.CharData:
			if inside {
				text += string(token)
			}
		case xml.EndElement:
			if token.Name.Local == "text" || token.Name.Local == "title" {
				inside, all = false, append(all, text)
			}
		}
	}
}
