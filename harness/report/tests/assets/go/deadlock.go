package main

import (
	"sync"
	"time"
)

func main() {
	var accounts, audit sync.Mutex
	var transferred sync.WaitGroup
	transferred.Add(1)
	go func() {
		accounts.Lock()
		time.Sleep(50 * time.Millisecond)
		audit.Lock()
		transferred.Done()
	}()
	go func() {
		audit.Lock()
		time.Sleep(50 * time.Millisecond)
		accounts.Lock()
	}()
	transferred.Wait()
}
