package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
)

func TestALogGetsALineForEachTenthOfTheFile(t *testing.T) {
	for _, tt := range []struct {
		name string
		size *int64
		sent []int64
		want string
	}{
		{"small steps", new(int64(100)), []int64{0, 4, 9, 11, 12, 19, 20}, "11 of 100|20 of 100|"},
		{"large steps", new(int64(100)), []int64{0, 55, 59, 60, 100}, "55 of 100|60 of 100|100 of 100|"},
		{"a tiny file", new(int64(5)), []int64{0, 5}, "5 of 5|"},
		{"size unknown", nil, []int64{0, 64<<20 - 1, 64 << 20, 65 << 20, 128 << 20}, "67108864|134217728|"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			progress := lines(&out, &uploadv1.FileInfo{Size: tt.size})
			for _, sent := range tt.sent {
				progress(sent)
			}
			got := strings.NewReplacer("client: sent ", "", " bytes\n", "|").Replace(out.String())
			require.Equal(t, tt.want, got)
		})
	}
}
