package upload

import (
	"bytes"
	"crypto/sha256"
	"io"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

func TestSource_RepeatsTheContentUpToItsSize(t *testing.T) {
	size := 2*len(content) + 5
	got, err := io.ReadAll(iotest.OneByteReader(newSource(int64(size))))
	require.NoError(t, err)
	require.True(t, bytes.Equal(got[:len(content)], content))
	require.True(t, bytes.Equal(got[len(content):2*len(content)], content))
	require.Equal(t, content[:5], got[2*len(content):])
}

func TestCheck_ComparesSizeAndHash(t *testing.T) {
	const size = 3 << 20
	w := work{hash: true}
	received := w.sink()
	_, err := io.Copy(received, newSource(size))
	require.NoError(t, err)
	require.NoError(t, w.check(received.receipt(), size))
	require.EqualError(t, w.check(received.receipt(), size+1), "size: must be 3145729, got 3145728")

	swapped := w.sink()
	_, _ = swapped.Write(content[1<<10 : 2<<10])
	_, _ = swapped.Write(content[:1<<10])
	_, _ = io.Copy(swapped, io.LimitReader(newSource(size), size-2<<10))
	require.EqualError(t, w.check(swapped.receipt(), size), "sha256: must be that of what was sent")
}

func TestSum_IsThatOfTheSource(t *testing.T) {
	want := sha256.Sum256(content[:1000])
	require.Equal(t, want[:], sum(1000))
	require.Equal(t, want[:], sum(1000), "the second time")
}
