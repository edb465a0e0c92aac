package wire

import (
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkWrite compares a connection that is watched with one that is
// not. The connection itself costs nothing.
func BenchmarkWrite(b *testing.B) {
	start, data := newRecording(b), newRecording(b)
	start.settings()
	data.ok(data.WriteData(1, false, append([]byte{0, 0, 0, 0x3f, 0xfb}, make([]byte, 16384-5)...)))
	for name, conn := range map[string]net.Conn{
		"plain":   idle{},
		"watched": New(io.Discard).Server(idle{}),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(data.Len()))
			_, err := conn.Write(start.Bytes())
			require.NoError(b, err)
			for b.Loop() {
				_, _ = conn.Write(data.Bytes())
			}
		})
	}
}

type idle struct{ net.Conn }

func (idle) Write(p []byte) (int, error) { return len(p), nil }
