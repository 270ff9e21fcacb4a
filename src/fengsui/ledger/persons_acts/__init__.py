"""Pages and endpoints of the acts that no mechanism declares and persons do: correct, merge, share, erase, move, adopt.

In: requests of people and programs, in one post. Out: the doors' answers. Nothing here decides: who may is asked of the door.
"""
