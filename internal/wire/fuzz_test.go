package wire

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
)

// FuzzTap reads and writes any bytes, cut in two ways. The lines are the
// same, harmless and short, the memory is bounded and the bytes unchanged.
func FuzzTap(f *testing.F) {
	r := newRecording(f)
	r.settings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1})
	r.headers(1, false, ":path", "/a/b", "grpc-timeout", "1S")
	r.ok(r.WriteData(1, true, append(message5("hi"), message5("there")...)))
	r.ok(r.WriteGoAway(1, 2, []byte("debug")))
	f.Add(r.Bytes(), uint8(3), false)
	f.Add([]byte(http2.ClientPreface+r.String()), uint8(200), true)
	f.Add([]byte("\x16\x03\x01"), uint8(1), true)
	f.Fuzz(func(t *testing.T, data []byte, size uint8, toServer bool) {
		reader, writer := (*Tap).Client, (*Tap).Server
		if toServer {
			reader, writer = writer, reader
		}
		pieces := cut(bytes.Clone(data), int(size)+1)
		read, wrote := new(screen), new(screen)
		whole, err := io.ReadAll(reader(New(read), &script{reads: pieces}))
		require.NoError(t, err)
		require.True(t, bytes.Equal(data, whole), "the bytes that were read")

		c := new(script)
		conn := writer(New(wrote), c).(*conn)
		n, err := conn.Write(data)
		require.NoError(t, err)
		require.Equal(t, len(data), n)
		require.True(t, bytes.Equal(data, c.wrote.Bytes()), "the bytes that were written")

		lines := untimed(t, wrote)
		require.Equal(t, lines, untimed(t, read))
		for _, line := range lines {
			require.LessOrEqual(t, len(line), 3000)
		}
		require.LessOrEqual(t, conn.out.buf.Cap(), 4*maxFrame)
		require.LessOrEqual(t, len(conn.out.messages), maxMessages)
	})
}
