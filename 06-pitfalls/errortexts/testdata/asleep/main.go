// Command asleep waits for a message that nobody sends.
package main

func main() { <-make(chan int) }
