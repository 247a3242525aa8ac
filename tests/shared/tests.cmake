relusweep_test(shared/wire/msg_test LINK wire test_support)
relusweep_test(shared/wire/sock_test LINK wire test_support)
